"""Talks to an emulated bus with ROBOTIS' own SDK and prints what it saw as JSON.

usage: sdk_peer.py PORT BAUD
"""
import json
import sys

import dynamixel_sdk as sdk

# The SDK allows an answer 34 ms: enough for a robot, not for a busy test machine.
sdk.port_handler.LATENCY_TIMER = 500
port = sdk.PortHandler(sys.argv[1])
packet = sdk.PacketHandler(2.0)
assert port.openPort(), "open"
assert port.setBaudRate(int(sys.argv[2])), "baud"
ids = list(range(1, 21))
out = {}


def ok(what, res, err=0):
    assert res == sdk.COMM_SUCCESS, (what, packet.getTxRxResult(res))
    assert err == 0, (what, packet.getRxPacketError(err))


def signed(v, bits):
    return v - (1 << bits) if v >> (bits - 1) else v


model, res, err = packet.ping(port, 7)
ok("ping", res, err)
out["model"] = model
found, res = packet.broadcastPing(port)
ok("broadcast ping", res)
out["found"] = sorted(found)

res, err = packet.write4ByteTxRx(port, 1, 116, 2100)
ok("write goal", res, err)
goal, res, err = packet.read4ByteTxRx(port, 1, 116)
ok("read goal", res, err)
out["goal"] = goal

res, err = packet.write4ByteTxRx(port, 1, 116, 5000)
out["limit_error"] = err
res, err = packet.write1ByteTxRx(port, 1, 64, 1)
ok("torque", res, err)
res, err = packet.write1ByteTxRx(port, 1, 9, 10)
out["access_error"] = err

# Indirect data that points at itself is plain memory. It is written byte by byte:
# this SDK (4.1.0) computes the stuffing of what it sends and then throws it away, so a
# packet that needs stuffing goes out malformed. What it receives it unstuffs rightly.
for k, b in enumerate((0xFF, 0xFF, 0xFD, 0xFD, 0xFF, 0xFF, 0xFD, 0x00)):
    res, err = packet.write1ByteTxRx(port, 2, 224 + k, b)
    ok("indirect", res, err)
data, res, err = packet.readTxRx(port, 2, 224, 8)
ok("stuffed read", res, err)
out["stuffed"] = list(data)

write = sdk.GroupSyncWrite(port, packet, 116, 4)
for i in ids:
    v = 2000 + i
    assert write.addParam(i, [v & 255, v >> 8, 0, 0])
ok("sync write", write.txPacket())

read = sdk.GroupSyncRead(port, packet, 126, 10)
for i in ids:
    assert read.addParam(i)
ok("sync read", read.txRxPacket())
out["sync"] = [[signed(read.getData(i, 126, 2), 16), signed(read.getData(i, 128, 4), 32), read.getData(i, 132, 4)] for i in ids]

fast = sdk.GroupSyncRead(port, packet, 116, 4)
for i in ids:
    assert fast.addParam(i)
ok("fast sync read", fast.fastSyncRead())
out["fast_goals"] = [fast.getData(i, 116, 4) for i in ids]

bulk = sdk.GroupBulkRead(port, packet)
assert bulk.addParam(1, 144, 2) and bulk.addParam(2, 146, 1) and bulk.addParam(200, 60, 2)
ok("bulk read", bulk.txRxPacket())
out["bulk"] = [bulk.getData(1, 144, 2), bulk.getData(2, 146, 1)]

fbulk = sdk.GroupBulkRead(port, packet)
assert fbulk.addParam(3, 144, 2) and fbulk.addParam(4, 146, 1)
ok("fast bulk read", fbulk.fastBulkRead())
out["fast_bulk"] = [fbulk.getData(3, 144, 2), fbulk.getData(4, 146, 1)]

bw = sdk.GroupBulkWrite(port, packet)
assert bw.addParam(5, 65, 1, [1]) and bw.addParam(6, 112, 4, [9, 0, 0, 0])
ok("bulk write", bw.txPacket())
led, res, err = packet.read1ByteTxRx(port, 5, 65)
ok("read led", res, err)
prof, res, err = packet.read4ByteTxRx(port, 6, 112)
ok("read profile", res, err)
out["bulk_written"] = [led, prof]

res, err = packet.regWriteTxRx(port, 8, 65, 1, [1])
ok("reg write", res, err)
before, res, err = packet.read1ByteTxRx(port, 8, 65)
packet.action(port, 254)
after, res, err = packet.read1ByteTxRx(port, 8, 65)
out["action"] = [before, after]

_, res, _ = packet.ping(port, 99)
out["nobody"] = res
res, err = packet.reboot(port, 9)
ok("reboot", res, err)
port.closePort()
print(json.dumps(out))
