"""All the numbers of the assignment in one place: import them, do not repeat them."""

# Given by the data set: FashionMNIST is 28x28 and gray.
image_size = 28
in_channels = 1

### BEGIN SOLUTION
# > # Yours to choose. These run fast and score badly: begin with them, then make the model better.
# > patch_size = 14
# > hidden_size = 32
# > layers = 1
# > heads = 1
# > embed_size = 16
# >
# > batch_size = 256
# > num_epochs = 2
# > lr = 1e-4
# > weight_decay = 0.0
# > margin = 1.0
# 16 patches of 7x7 pixels. Smaller patches show more detail, but there are more of them to compute.
patch_size = 7
hidden_size = 64
layers = 3
heads = 2
embed_size = 64

# For both trainings, of 60,000 images an epoch and of 5,000. Small batches make more steps of an epoch.
batch_size = 64
num_epochs = 25
lr = 1.5e-3
weight_decay = 0.05

# How much nearer the positive must be than the negative, on the unit sphere (distances from 0 to 2).
margin = 0.2
### END SOLUTION
