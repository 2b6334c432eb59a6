"""The only code that shares a process with a student's: it does what it is asked and reports what it saw.

Nothing here knows an expected value, a point, a label of the test set or the reference, and nothing
here judges. This package imports the standard library, numpy, torch, torchvision, pytorch-metric-learning and what
these need (PIL, tqdm, threadpoolctl, faiss), and nothing else of the project.

The protocol, over two pipes (requests on descriptor 3, replies on descriptor 4; what is printed goes through a third,
on descriptors 1 and 2, and signs that the code gets further and stacks through a fourth, on descriptor 5):

    frame   = u32 header length, u64 blob length (both big-endian), header, blob
    header  = JSON {"id": str, "body": any, "arrays": [[dtype, [shape]], …]}
    blob    = the raw bytes of the arrays, in order, C layout, little-endian

In ``body`` an array stands as {"$array": index}, a number that JSON lacks as {"$float": "nan"}, and an
array that every worker shares (the images of the data set) as {"$shared": name}.

A request's body is {"op": name, "args": {…}}. A reply repeats the request's id; its body is
{"value": any} or {"raised": {type, bases, message, frames}} or {"undefined": name}. There is one reply
per request, in order. Anything else (no reply, a late one, a wrong id, a frame over the caps) is named
by the other side, which is ``grader.sandbox.outside``.
"""
