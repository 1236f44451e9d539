"""Prints how many ticks each recording has, in files that may end anywhere."""
import struct
import sys

from mcap.exceptions import EndOfFile
from mcap.records import Channel, Message
from mcap.stream_reader import StreamReader

for name in sys.argv[1:]:
    ticks, topics = 0, {}
    with open(name, "rb") as f:
        try:
            for record in StreamReader(f).records:
                if isinstance(record, Channel):
                    topics[record.id] = record.topic
                elif isinstance(record, Message) and topics[record.channel_id] == "/robot/tick":
                    ticks += 1
        except (EndOfFile, struct.error):  # either, depending on where the cut is
            pass
    print(ticks)
