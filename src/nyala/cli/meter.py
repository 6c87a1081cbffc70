"""`nyala meter ...`: the twin alone.  Here is the group and the panel; the laboratory's module adds its commands."""

import typer

from nyala.cli import panel

meter_app = typer.Typer(help="The virtual meter alone: its face, its test bench.", no_args_is_help=True)
meter_app.command("panel")(panel.panel)
