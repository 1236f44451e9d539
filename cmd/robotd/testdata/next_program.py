"""The next program on a bus after robotd: another library switches torque on, thinks for half a second, and moves.

usage: next_program.py dynamixel_sdk|rustypot PORT BAUD

Prints one JSON object: watchdogs before, positions, and goals as the servos hold them after they were asked to stay.
"""
import json
import sys
import time

IDS = list(range(1, 21))
THINKS_S = 0.5


def vendor(name, baud):
    import dynamixel_sdk as sdk

    # The SDK allows an answer 34 ms: enough for a robot, not for a busy test machine.
    sdk.port_handler.LATENCY_TIMER = 500
    port, packet = sdk.PortHandler(name), sdk.PacketHandler(2.0)
    assert port.openPort() and port.setBaudRate(baud), "open"

    def ok(what, res, err=0):
        assert res == sdk.COMM_SUCCESS, (what, packet.getTxRxResult(res))
        assert err == 0, (what, packet.getRxPacketError(err))

    def read(i, addr, size):
        f = {1: packet.read1ByteTxRx, 4: packet.read4ByteTxRx}[size]
        v, res, err = f(port, i, addr)
        ok((i, addr), res, err)
        return v

    watchdogs, positions = [read(i, 98, 1) for i in IDS], [read(i, 132, 4) for i in IDS]
    for i in IDS:
        ok("torque", *packet.write1ByteTxRx(port, i, 64, 1))
    time.sleep(THINKS_S)
    for i, p in zip(IDS, positions):
        ok(("goal", i), *packet.write4ByteTxRx(port, i, 116, p))
    out = {"watchdogs": watchdogs, "goals": [read(i, 116, 4) for i in IDS], "positions": positions}
    for i in IDS:
        ok("torque off", *packet.write1ByteTxRx(port, i, 64, 0))
    return out


def rusty(name, baud):
    import rustypot

    c = rustypot.Xl430PyController(name, baud, 0.5)
    watchdogs, positions = list(c.sync_read_bus_watchdog(IDS)), list(c.sync_read_present_position(IDS))
    c.sync_write_torque_enable(IDS, [True] * len(IDS))
    time.sleep(THINKS_S)
    c.sync_write_goal_position(IDS, positions)
    out = {"watchdogs": watchdogs, "goals": list(c.sync_read_goal_position(IDS)), "positions": positions}
    c.sync_write_torque_enable(IDS, [False] * len(IDS))
    return out


print(json.dumps({"dynamixel_sdk": vendor, "rustypot": rusty}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))))
