"""A double of S3: moto's server on loopback."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

ADDRESS = ("AWS_ENDPOINT", "AWS_ENDPOINT_URL")
_SERVE = """
import threading
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
threading.Event().wait()
"""
"""Program that says the port that it was given: one that was free before may be another's by now.
"""


@contextmanager
def running_object_store() -> Iterator[dict[str, str]]:
    """Run an object store; yield the variables that lead to it. Its bucket `quoted` is empty."""
    import boto3

    server = subprocess.Popen(
        [sys.executable, "-c", _SERVE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert server.stdout
    address = f"http://127.0.0.1:{int(server.stdout.readline())}"
    variables = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
        **dict.fromkeys(ADDRESS, address),
    }
    try:
        client = boto3.client(
            "s3",
            endpoint_url=address,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - of the double
        )
        client.create_bucket(Bucket="quoted")
        yield variables
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()
