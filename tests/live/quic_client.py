"""A QUIC client that makes some requests, and gives up after some seconds without an answer: quic_client.py ADDRESS SECONDS"""

import asyncio
import ssl
import sys

from aioquic.asyncio import connect
from aioquic.quic.configuration import QuicConfiguration


async def main():
    configuration = QuicConfiguration(alpn_protocols=["hq-interop"], verify_mode=ssl.CERT_NONE)
    async with connect(sys.argv[1], 443, configuration=configuration) as client:
        for _ in range(4):
            reader, writer = await client.create_stream()
            writer.write(b"GET /")
            writer.write_eof()
            await reader.read()
            await asyncio.sleep(0.05)


async def give_up_after(seconds):
    # The connection is closed on the way out.
    await asyncio.wait_for(main(), seconds)


asyncio.run(give_up_after(float(sys.argv[2])))
