"""`kanpde completion`: what a shell needs to complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from kanpde.commands.help import Named

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_KANPDE_COMPLETE"


@click.command()
@click.argument("shell", type=Named(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script with which SHELL completes commands, options and files.

    \b
    bash: add  eval "$(kanpde completion bash)"    to ~/.bashrc
    zsh:  add  eval "$(kanpde completion zsh)"     to ~/.zshrc
    fish: kanpde completion fish > ~/.config/fish/completions/kanpde.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(ctx.find_root().command, {}, "kanpde", VARIABLE).source())
