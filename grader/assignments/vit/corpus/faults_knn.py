"""Part 4: nearest neighbours, wrong in one way each, and right in other ways."""

from grader.assignments.vit.corpus.application_lines import knn

FAULTS = [
    knn("farthest", "return (ref - query).norm(dim=1).topk(k)", "farthest rows"),
    knn("farthest_by_sorting", """
distances, indices = torch.sort(torch.cdist(query.view(1, -1), ref)[0], descending=True)
return distances[:k], indices[:k]
""", "farthest"),
    knn("squared", "return ((ref - query) ** 2).sum(dim=1).topk(k, largest=False)", "root"),
    knn("cosine", """
similarity = F.cosine_similarity(query.view(1, -1), ref)
values, indices = similarity.topk(k)
return 1 - values, indices
""", "cosine"),
    knn("normalised", """
query, ref = F.normalize(query.view(1, -1), dim=1), F.normalize(ref, dim=1)
return (ref - query).norm(dim=1).topk(k, largest=False)
""", "cosine"),
    knn("l1", "return (ref - query).abs().sum(dim=1).topk(k, largest=False)", "L1"),
    knn("mean_of_squares", "return ((ref - query) ** 2).mean(dim=1).sqrt().topk(k, largest=False)", "mean of squared"),
    knn("swapped", """
distances, indices = (ref - query).norm(dim=1).topk(k, largest=False)
return indices, distances
""", "order"),
    knn("k_ignored", "return (ref - query).norm(dim=1).topk(5, largest=False)", "`k`"),
    knn("farthest_of_the_nearest_first", """
distances, indices = (ref - query).norm(dim=1).topk(k, largest=False)
return distances.flip(0), indices.flip(0)
""", "order"),
    knn("skips_the_nearest", """
distances, indices = (ref - query).norm(dim=1).topk(k + 1, largest=False)
return distances[1:], indices[1:]
""", "left out"),
    knn("indices_alone", "return (ref - query).norm(dim=1).topk(k, largest=False).indices", "pair"),
    knn("indices_as_floats", """
distances, indices = (ref - query).norm(dim=1).topk(k, largest=False)
return distances, indices.float()
""", "whole numbers, got float32"),
    knn("vectors_instead_of_indices", """
distances, indices = (ref - query).norm(dim=1).topk(k, largest=False)
return distances, ref[indices]
""", "whole numbers"),
    knn("dot_product", "return (ref @ query.flatten()).topk(k)", "dot product"),
    knn("all_rows", """
distances = (ref - query).norm(dim=1)
return distances, distances.argsort()
""", "keep the k nearest"),
    knn("batched_query_only", """
return torch.cdist(query, ref)[0].topk(k, largest=False)
""", "(E,)"),
    knn("multiplied_by_a_row", """
squares = (query**2).sum() + (ref**2).sum(dim=1) - 2 * ref @ query
return squares.clamp(min=0).sqrt().topk(k, largest=False)
""", "A query may come as (E,)"),
    knn("distances_unsorted", """
distances = (ref - query).norm(dim=1)
indices = distances.argsort()[:k]
return distances[:k], indices
""", "distances[indices]"),
    knn("printed", """
distances, indices = (ref - query).norm(dim=1).topk(k, largest=False)
print(distances, indices)
""", "print() shows"),
    knn("negative_distances", """
values, indices = (-(ref - query).norm(dim=1)).topk(k)
return values, indices
""", "negative"),
    knn("unfinished", "raise RuntimeError('later')", "later"),
    knn("root_of_less_than_zero", """
query = query.reshape(1, -1)
squares = (query**2).sum() + (ref**2).sum(dim=1) - 2 * (ref @ query.T).squeeze(1)
return squares.sqrt().topk(k, largest=False)
""", "NaN"),
    knn("query_itself_left_out", """
distances = (ref - query).norm(dim=1)
distances[distances < 1e-6] = float("inf")
return distances.topk(k, largest=False)
""", "left out"),
    knn("changes_the_bank", "return ref.sub_(query).norm(dim=1).topk(k, largest=False)", "changes"),
    knn("counts_from_one", """
distances, indices = (ref - query).norm(dim=1).topk(k, largest=False)
return distances, indices + 1
""", "from 0"),
    knn("first_row_not_searched", "return (ref[1:] - query).norm(dim=1).topk(k, largest=False)", "too small"),
    knn("ranks_instead_of_rows", """
distances = (ref - query).norm(dim=1)
return distances.sort().values[:k], distances.argsort().argsort()[:k]
""", "ranks"),
]  # fmt: skip


VARIANTS = [
    knn("cdist", "return torch.cdist(query.reshape(1, -1), ref).topk(k, largest=False)"),
    knn("sorting", """
distances = torch.cdist(query.reshape(1, -1), ref).squeeze(0)
order = torch.argsort(distances)[:k]
return distances[order], order
"""),
    knn("expanded_squares", """
query = query.reshape(1, -1)
squares = (query**2).sum(1, keepdim=True) + (ref**2).sum(1) - 2 * query @ ref.T
return squares.clamp(min=0).sqrt().topk(k, dim=1, largest=False)
"""),
    knn("negated", """
values, indices = (-F.pairwise_distance(query.reshape(1, -1), ref, eps=0.0)).topk(k)
return -values, indices
"""),
    knn("numpy", """
distances = ((ref.numpy() - query.numpy().reshape(-1)) ** 2).sum(-1) ** 0.5
order = distances.argsort()[:k]
return distances[order], order
"""),
    knn("lists", """
pairs = sorted(((row - query.flatten()).pow(2).sum().sqrt().item(), i) for i, row in enumerate(ref))
return [d for d, _ in pairs[:k]], [i for _, i in pairs[:k]]
"""),
    knn("row_of_a_matrix", """
distances, indices = torch.sort((ref - query.reshape(1, -1)).pow(2).sum(-1).sqrt())
return distances[None, :k], indices[None, :k]
"""),
    knn("chosen_before_sorted", """
import numpy as np
distances = np.linalg.norm(ref.numpy() - query.numpy().reshape(-1), axis=1)
rows = np.argpartition(distances, k)[:k]
rows = rows[np.argsort(distances[rows])]
return distances[rows], rows
"""),
    knn("query_given_its_axis_in_place", """
if query.dim() == 1:
    query.unsqueeze_(0)
return torch.cdist(query, ref)[0].topk(k, largest=False)
"""),
    knn("shown_as_notebooks_can", """
distances, indices = torch.cdist(query.reshape(1, -1), ref)[0].topk(k, largest=False)
display(distances)
if "google.colab" in str(get_ipython()):
    print(indices)
return distances, indices
"""),
    knn("double", """
distances = torch.linalg.vector_norm(ref.double() - query.double(), dim=-1)
top = torch.topk(distances, k, largest=False, sorted=True)
return top.values, top.indices
"""),
]  # fmt: skip
