"""How fast campaigns are: taking contacts in, claiming, handing over, pacing, telling how far one is.

Each part is a module beside this one, `_campaign_NAME.py`, with `TARGETS` (figures it must reach) and
`measure()`, which returns its figures by name; ratios stand beside a bare loop of the same run.

Usage: scripts/bench campaign [--json] [--only NAME] [--rows N] [--calls N]
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
from pathlib import Path
from typing import Any

PARTS = tuple(sorted(path.stem for path in Path(__file__).parent.glob("_campaign_*.py")))
PREFIX = "_campaign_"


def main() -> None:
    names = [part.removeprefix(PREFIX) for part in PARTS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", choices=names, action="append")
    parser.add_argument("--rows", type=int, help="contacts to take in")
    parser.add_argument("--calls", type=int, help="calls to claim")
    options = parser.parse_args()
    found: dict[str, Any] = {"targets": {}}
    for name in options.only or names:
        part = importlib.import_module(PREFIX + name)
        takes = inspect.signature(part.measure).parameters
        given = {key: value for key, value in vars(options).items() if key in takes and value is not None}
        found["targets"] |= part.TARGETS
        found |= part.measure(**given)
    if options.json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return
    targets = found.pop("targets")
    for key, value in found.items():
        target = f"   (target {targets[key]})" if key in targets else ""
        print(f"{key:28} {value}{target}")


if __name__ == "__main__":
    main()
