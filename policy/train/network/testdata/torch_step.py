"""The reference training step in PyTorch on the CPU: prints its median in ms.

1024 x (64-256-256-20), tanh, squared error, Adam, float32, two threads. Prints
"no torch" where PyTorch is not installed.
"""
import statistics
import time

try:
    import torch
except ImportError:
    raise SystemExit(print("no torch"))

torch.set_num_threads(2)
torch.manual_seed(1)
net = torch.nn.Sequential(
    torch.nn.Linear(64, 256), torch.nn.Tanh(), torch.nn.Linear(256, 256), torch.nn.Tanh(), torch.nn.Linear(256, 20))
adam = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)
x, y = torch.randn(1024, 64), torch.randn(1024, 20)
times = []
for step in range(600):
    start = time.perf_counter()
    adam.zero_grad(set_to_none=True)
    torch.nn.functional.mse_loss(net(x), y).backward()
    adam.step()
    if step >= 100:
        times.append(time.perf_counter() - start)
print(f"{1e3 * statistics.median(times):.3f} {torch.__version__}")
