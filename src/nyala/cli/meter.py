"""`nyala meter ...`: the twin alone.  Here is only the group; the commands stand in `panel` and in the laboratory's module."""

import typer

meter_app = typer.Typer(help="The virtual meter alone: its face, its test bench.", no_args_is_help=True)
