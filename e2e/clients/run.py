"""Does with each program of docs/clients.md what the page says that a person can do with it.

Signs in, lists, calls, steps up, is asked before a deletion, and signs out. Called by
`make clients`. Writes a table of what worked, and ends with 1 if something did not that the page
promises.
"""

import argparse
import importlib
import shutil
import sys
import tempfile
import traceback
from pathlib import Path

from bed import Bed
from model import Model
from trial import STEPS, Trial

PROGRAMS = (
    "claude_code",
    "codex",
    "gemini_cli",
    "qwen_code",
    "opencode",
    "inspector",
    "mcp_remote",
    "mcporter",
    "fastmcp",
    "mcp_python",
    "typescript_1",
    "typescript_2",
    "pydantic_ai",
    "langchain",
)


def try_program(name, flags):
    """One row of the table, and whether all went well."""
    program = importlib.import_module(f"programs.{name}")
    logs = flags.target / "logs" / name
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir(parents=True)
    print(name, flush=True)
    with (
        # Not below the repository, whose own files some programs would read.
        tempfile.TemporaryDirectory(prefix=f"{name}-", ignore_cleanup_errors=True) as directory,
        Bed(flags.hq, flags.server, logs) as bed,
        Model(logs / "model.log") as model,
    ):
        trial = Trial(program.HEADING, bed, model, flags.target, Path(directory))
        version, fault = "?", ""
        try:
            version = program.version(trial)
            program.follow(trial)
        except Exception:
            fault = traceback.format_exc()
            print(fault, flush=True)
        revisions = ", ".join(bed.revisions())
    missing = [step for step in STEPS if step not in trial.record]
    if missing and not fault:
        fault = f"{name} says nothing of {', '.join(missing)}"
    row = [
        program.TITLE,
        version,
        revisions,
        *(trial.record.get(step, "not reached") for step in STEPS),
    ]
    print(f"  {' | '.join(row)}", flush=True)
    return row, fault


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hq", type=Path, required=True, help="the stand-in HQ")
    parser.add_argument("--server", type=Path, required=True, help="lenses-mcp-server")
    parser.add_argument(
        "--target", type=Path, required=True, help="where `install` put the programs"
    )
    parser.add_argument("programs", nargs="*", default=PROGRAMS, choices=[*PROGRAMS, PROGRAMS])
    flags = parser.parse_args()
    flags.target = flags.target.resolve()
    tried = [try_program(name, flags) for name in flags.programs]
    head = ["program", "version", "revision", *STEPS]
    lines = [head, ["---"] * len(head), *(row for row, _ in tried)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    (flags.target / "table.md").write_text(table + "\n")
    print(table)
    sys.exit(any(fault for _, fault in tried))


if __name__ == "__main__":
    main()
