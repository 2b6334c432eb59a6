"""Part 3: losses and miners that are right, most of them seen in submissions."""

from grader.assignments.vit.corpus.contrastive_bodies import LEARN, plain

VARIANTS = [
    plain(
        "loss_negated_for_an_optimizer_that_maximizes",
        optimizer="optimizer = torch.optim.Adam([*vit.parameters(), *head.parameters()], lr=lr, maximize=True)",
        learn=LEARN.replace("loss.backward()", "(-loss).backward()"),
    ),
    plain(
        "loss_and_miner_called_by_forward",
        learn=LEARN.replace("loss_func(", "loss_func.forward(").replace("miner(", "miner.forward("),
    ),
    plain("loss_times_a_weight", learn=LEARN.replace("loss.backward()", "(0.5 * loss + 0.1).backward()")),
    plain(
        "loss_beside_a_penalty",
        learn=LEARN.replace("loss.backward()", "(loss + 1e-4 * out.pow(2).mean()).backward()"),
    ),
    # Losses and miners
    plain(
        "loss_of_a_subclass_that_adds_something",
        loss="""class TripletLoss(losses.TripletMarginLoss):
        def forward(self, embeddings, labels, triplets):
            return super().forward(embeddings, labels, triplets) + 1e-4 * embeddings.pow(2).mean()
    loss_func = TripletLoss(margin=margin)
    miner = miners.MultiSimilarityMiner()""",
    ),
    plain(
        "loss_of_a_subclass_that_computes_the_same",
        loss="""class TripletLoss(losses.TripletMarginLoss):
        def forward(self, embeddings, labels, triplets):
            anchors, positives, negatives = (nn.functional.normalize(embeddings)[rows] for rows in triplets)
            near, far = ((anchors - others).norm(dim=1) for others in (positives, negatives))
            each = (near - far + self.margin).relu()
            return each.sum() / (each > 0).sum().clamp(min=1)
    loss_func = TripletLoss(margin=margin)
    miner = miners.TripletMarginMiner(margin=margin)""",
    ),
    plain(
        "hard_miner",
        loss="loss_func = losses.TripletMarginLoss(margin=margin, swap=True)\n    miner = miners.BatchHardMiner()",
    ),
    plain(
        "all_kinds_of_triplets",
        loss="loss_func = losses.TripletMarginLoss(margin=margin)\n    miner = miners.TripletMarginMiner(margin=margin, type_of_triplets='all')",
    ),
    plain(
        "cosine_distance",
        loss="""from pytorch_metric_learning import distances, reducers
    distance = distances.CosineSimilarity()
    loss_func = losses.TripletMarginLoss(margin=margin, distance=distance, reducer=reducers.ThresholdReducer(low=0))
    miner = miners.TripletMarginMiner(margin=margin, distance=distance, type_of_triplets="semihard")""",
    ),
    plain(
        "memory",
        loss="""miner = miners.MultiSimilarityMiner()
    loss_func = losses.CrossBatchMemory(losses.TripletMarginLoss(margin=margin), embed_size, memory_size=512, miner=miner)""",
        learn=LEARN.replace("loss_func(out, y.to(device), miner(out, y.to(device)))", "loss_func(out, y.to(device))"),
    ),
    plain(
        "memory_given_tuples",
        loss="""miner = miners.MultiSimilarityMiner()
    loss_func = losses.CrossBatchMemory(losses.TripletMarginLoss(margin=margin), embed_size, memory_size=512)""",
    ),
    plain(
        "several_losses",
        loss="""loss_func = losses.MultipleLosses([losses.TripletMarginLoss(margin=margin), losses.ContrastiveLoss()])
    miner = miners.MultiSimilarityMiner()""",
    ),
    plain(
        "tuples_taken_apart",
        learn=LEARN.replace(
            "loss_func(out, y.to(device), miner(out, y.to(device)))",
            "loss_func(out, y.to(device), tuple(part[:500].clone() for part in triplets(miner, out, y)))",
        ),
        more="\n\ndef triplets(miner, out, y):\n    return miner(out, y)\n",
        loss="loss_func = losses.TripletMarginLoss(margin=margin)\n    miner = miners.TripletMarginMiner(margin=margin)",
    ),
    plain(
        "miner_of_its_own",
        loss="""loss_func = losses.TripletMarginLoss(margin=margin)
    def miner(out, y):
        distance = torch.cdist(out, out)
        same = y[:, None] == y[None, :]
        positive = distance.masked_fill(~same, -1).argmax(1)
        negative = distance.masked_fill(same, 1e9).argmin(1)
        return torch.arange(len(y)), positive, negative""",
    ),
    plain(
        "normalised_before_the_loss",
        learn=LEARN.replace("head(vit(x.to(device)))", "F.normalize(head(vit(x.to(device))), dim=1)"),
    ),
    plain(
        "miner_on_normalised_copies",
        learn=LEARN.replace("miner(out, y.to(device))", "miner(F.normalize(out.detach(), dim=1), y.clone())"),
    ),
    plain(
        "miner_on_scaled_halves",
        learn=LEARN.replace("miner(out, y.to(device))", "miner((3 * out).detach().half(), y.to(device).int())"),
    ),
    plain(
        "miner_on_a_pass_in_eval_mode",
        learn=LEARN.replace("miner(out, y.to(device))", "mined(miner, vit, head, x, y)"),
        more="""

def mined(miner, vit, head, x, y):
    vit.eval(), head.eval()
    with torch.no_grad():
        tuples = miner(head(vit(x)), y)
    vit.train(), head.train()
    return tuples
""",
    ),
    plain(
        "two_miners",
        loss="""loss_func = losses.TripletMarginLoss(margin=margin)
    first, second = miners.TripletMarginMiner(margin=margin), miners.BatchHardMiner()
    def miner(out, y):
        return tuple(torch.cat(parts) for parts in zip(first(out, y), second(out, y)))""",
    ),
    plain(
        "miner_against_a_reference_batch",
        loss="loss_func = losses.TripletMarginLoss(margin=margin)\n    miner = miners.MultiSimilarityMiner()\n    bank = bank_y = None",
        learn="""optimizer.zero_grad()
            out, y = head(vit(x.to(device))), y.to(device)
            bank, bank_y = (out, y) if bank is None else (torch.cat([out, bank])[:300], torch.cat([y, bank_y])[:300])
            tuples = miner(out, y, bank, bank_y)
            loss_func(out, y, tuples, bank, bank_y).backward()
            bank = bank.detach()
            optimizer.step()""",
    ),
    plain(
        "tensors_in_memory",
        loader="""images = torch.stack([image for image, _ in subset])
    labels = torch.tensor([label for _, label in subset])
    loader = DataLoader(torch.utils.data.TensorDataset(images, labels), batch_size=batch_size, shuffle=True)""",
    ),
]
