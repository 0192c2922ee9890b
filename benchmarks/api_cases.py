"""Send generated requests to a server for a team and count the answers by status.

    python benchmarks/api_cases.py [--cases 2000] [--schemathesis COMMAND] [--port 8518]

Schemathesis makes right and wrong requests of openapi.json and sends them with the key of an admin;
it needs an environment of its own (`python -m venv there`, `there/bin/pip install schemathesis`).
The server's log tells which statuses it answered. Ends with 1 if one of them is a server error
other than 503, or if an answer is not as openapi.json says.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from team_server import TeamServer, team_server

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "allow_header_conformance",
    "ignored_auth",
)
OPERATIONS = 26
"""Operations among which the cases are shared: of 33, some have only a few possible requests."""
_LOGGED = re.compile(r"^\S+ INFO \S+ ([A-Z]+ /\S*) (\d{3}) \d+ ms$", re.MULTILINE)
"""Line of the log: time, level, id of the request, method and path, status, milliseconds."""


def send_cases(server: TeamServer, command: str, cases: int, seed: int) -> int:
    """Run schemathesis, which prints what it finds; return its exit status."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = [
            *(command, "run", f"{server.url}/openapi.json"),
            *("--header", f"Authorization: Bearer {server.keys['admin']}"),
            *("--max-examples", str(1 + cases // OPERATIONS)),
            *("--phases", "examples,coverage,fuzzing"),
            *("--checks", ",".join(CHECKS)),
            *("--seed", str(seed), "--request-timeout", "90", "--continue-on-failure"),
            *("--generation-database", "none", "--no-shrink", "--suppress-health-check", "all"),
        ]
        # It writes caches into the folder that it runs in.
        return subprocess.run(arguments, check=False, cwd=folder).returncode


def statuses_of(log: Path) -> Counter[str]:
    """Return how often each status was answered."""
    return Counter(status for _, status in _LOGGED.findall(log.read_text()))


def main() -> None:
    """Send the cases, print the statuses, and end with 1 after an error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--schemathesis", default="schemathesis")
    parser.add_argument("--port", type=int, default=8518)
    parser.add_argument("--seed", type=int, default=18)
    options = parser.parse_args()
    with team_server(options.port) as server:
        found = send_cases(server, options.schemathesis, options.cases, options.seed)
        log = server.log.read_text()
        statuses = statuses_of(server.log)
    errors = [line for line in log.splitlines() if re.search(r" 5(?!03)\d\d \d+ ms$", line)]
    print(f"{statuses.total()} answers: {dict(sorted(statuses.items()))}")
    print("\n".join(errors) or "no server error but 503")
    sys.exit(1 if errors or found else 0)


if __name__ == "__main__":
    main()
