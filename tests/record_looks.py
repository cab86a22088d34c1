"""Record what `look.sh` answers on a machine of each network stack: `python -m tests.record_looks`.

Writes tests/data/looks/STACK.txt, bare machines as freshly booted. Needs the lab.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from lvstui.lab.topology import STACKS, parse
from lvstui.realserver.transaction import look
from tests.labs import Lab, RunningMachine
from tests.unit.realserver.looks import DATA, NONCE


def main() -> None:
    """Boot a machine of each stack and ask it."""
    DATA.mkdir(parents=True, exist_ok=True)
    tables = [f'[[machine]]\nname = "m{n}"\nstack = "{s}"\n' for n, s in enumerate(STACKS, 1)]
    head = f"N={NONCE}\nVIPS='10.10.0.20 fd00::20'\nDIPS='10.10.0.2'\n"
    with Lab(parse("directors = 1\nreal_servers = 1\n" + "".join(tables))) as lab:
        machines = {stack: lab.machine(f"m{n}") for n, stack in enumerate(STACKS, 1)}

        def record(item: tuple[str, RunningMachine]) -> str:
            stack, machine = item
            machine.wait_booted(150)
            answer = machine.run("LC_ALL=C sh -s", stdin=head + look(), timeout=90)
            (DATA / f"{stack}.txt").write_text(answer.stdout, encoding="utf-8")
            return f"{stack}: {len(answer.stdout)} characters"

        with ThreadPoolExecutor(len(machines)) as pool:
            print("\n".join(pool.map(record, machines.items())))


if __name__ == "__main__":
    main()
