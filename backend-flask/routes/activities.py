"""Activities: the home page's and a user's."""

from flask import Blueprint, current_app, request
from flask.typing import ResponseReturnValue

from services import home_activities, user_activities
from services.recorder import NO_RECORDER

blueprint = Blueprint("activities", __name__, url_prefix="/api/activities")


@blueprint.get("/home")
def home() -> ResponseReturnValue:
    """Answer with what everybody posted."""
    return home_activities.run()


@blueprint.get("/@", defaults={"handle": ""})
@blueprint.get("/@<handle>")
def user(handle: str) -> ResponseReturnValue:
    """Answer with what one user posted."""
    return user_activities.run(
        handle,
        method=request.method,
        url=request.base_url,  # without the query string, which may carry a secret
        recorder=current_app.extensions.get("xray_recorder", NO_RECORDER),
    )
