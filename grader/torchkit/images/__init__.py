"""What transforms of images do: which random changes they make, how they normalise, whether they use the image at all.

``calibration`` has the images that a transform is given, ``answers`` the types of what comes back from the worker.
``draws`` tells where a draw takes its pixels from and what it does to gray levels, ``families`` which kinds of change
many draws show, and ``kinds`` counts those of a whole pipeline.
"""
