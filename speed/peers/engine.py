"""The peer of speed/engine-model.ts: the same program in eager PyTorch, operator for operator.

Reads one command per line (calls N, train, decode), answers with one line of JSON: {"ms": time, "value": result}.
"""
import json
import math
import sys
import time

import torch
import torch.nn.functional as F

D, H, INNER, LAYERS, V, T = 256, 4, 1024, 4, 2000, 128
TRAIN_BATCH, DECODE_BATCH, PROMPT, NEW = 8, 4, 16, 64


class Work:
    def __init__(self, seed):
        g = torch.Generator().manual_seed(seed)
        self.parameters = []

        def learn(t):
            t.requires_grad_(True)
            self.parameters.append(t)
            return t

        def draw(*shape):
            return learn(torch.randn(shape, generator=g).mul_(0.02))

        def linear(outer, inner):
            return draw(outer, inner), learn(torch.zeros(outer))

        def norm():
            return learn(torch.ones(D)), learn(torch.zeros(D))

        self.token_table, self.position_table = draw(V, D), draw(T, D)
        self.blocks = []
        for _ in range(LAYERS):
            qkv, out, up, down = linear(3 * D, D), linear(D, D), linear(INNER, D), linear(D, INNER)
            self.blocks.append((norm(), qkv, out, norm(), up, down))
        self.norm, self.head = norm(), draw(V, D)
        self.mask = torch.full((T, T), -1e9).triu(1)
        self.input = torch.randint(0, V, (TRAIN_BATCH, T), generator=g)
        self.target = torch.randint(0, V, (TRAIN_BATCH, T), generator=g)
        self.prompt = torch.randint(0, V, (DECODE_BATCH, PROMPT), generator=g)
        self.small = torch.ones(4), torch.ones(4)
        fused = {"fused": True} if hasattr(torch.ops.aten, "_fused_adamw_") else {}
        self.optimizer = torch.optim.AdamW(self.parameters, lr=3e-4, weight_decay=0.01, **fused)

    def attend(self, block, x, cache, position):
        batch, t, _ = x.shape
        q, k, v = (p.view(batch, t, H, D // H).transpose(1, 2) for p in F.linear(x, *block[1]).split(D, 2))
        if cache is not None:
            cache[0].narrow(2, position, t).copy_(k)
            cache[1].narrow(2, position, t).copy_(v)
            k, v = cache[0].narrow(2, 0, position + t), cache[1].narrow(2, 0, position + t)
        scores = q.matmul(k.transpose(2, 3)) * (1 / math.sqrt(D // H))
        if t > 1:
            scores = scores + self.mask.narrow(0, 0, t).narrow(1, 0, t)
        mixed = scores.softmax(-1).matmul(v).transpose(1, 2).reshape(batch, t, D)
        return F.linear(mixed, *block[2])

    def forward(self, ids, caches, position):
        t = ids.shape[1]
        x = F.embedding(ids, self.token_table) + self.position_table.narrow(0, position, t)
        for i, block in enumerate(self.blocks):
            x = x + self.attend(block, F.layer_norm(x, (D,), *block[0]), caches[i] if caches else None, position)
            x = x + F.linear(F.gelu(F.linear(F.layer_norm(x, (D,), *block[3]), *block[4])), *block[5])
        return F.linear(F.layer_norm(x, (D,), *self.norm), self.head)

    def calls(self, count):
        a, b = self.small
        for _ in range(count):
            torch.add(a, b)

    def train(self):
        self.optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(self.forward(self.input, None, 0).view(-1, V), self.target.view(-1))
        loss.backward()
        self.optimizer.step()
        return loss.item()

    @torch.inference_mode()
    def decode(self):
        shape = (DECODE_BATCH, H, T, D // H)
        caches = [(torch.zeros(shape), torch.zeros(shape)) for _ in self.blocks]

        def step(ids, position):
            return self.forward(ids, caches, position)[:, -1].argmax(-1, keepdim=True)

        out = [step(self.prompt, 0)]
        for i in range(1, NEW):
            out.append(step(out[-1], PROMPT + i - 1))
        return torch.cat(out, 1).sum().item()


def main():
    torch.set_num_threads(int(sys.argv[1]))
    work = Work(int(sys.argv[2]))
    print(json.dumps({"version": torch.__version__}), flush=True)
    for line in sys.stdin:
        name, *arguments = line.split()
        start = time.perf_counter()
        value = getattr(work, name)(*map(int, arguments))
        print(json.dumps({"ms": (time.perf_counter() - start) * 1e3, "value": value}), flush=True)


main()
