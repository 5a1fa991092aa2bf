"""QUIC servers, one for each address, which answer each request: quic_server.py CERTIFICATE KEY ADDRESS...

An address with a + in front demands a Retry.
"""

import asyncio
import sys

from aioquic.asyncio import QuicConnectionProtocol, serve
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import StreamDataReceived


class Answer(QuicConnectionProtocol):
    def quic_event_received(self, event):
        if isinstance(event, StreamDataReceived) and event.end_stream:
            self._quic.send_stream_data(event.stream_id, b"ok" * 500, end_stream=True)
            self.transmit()


async def main():
    certificate, key, *addresses = sys.argv[1:]
    configuration = QuicConfiguration(is_client=False, alpn_protocols=["hq-interop"])
    configuration.load_cert_chain(certificate, key)
    for address in addresses:
        await serve(
            address.lstrip("+"),
            443,
            configuration=configuration,
            create_protocol=Answer,
            retry=address.startswith("+"),
        )
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
