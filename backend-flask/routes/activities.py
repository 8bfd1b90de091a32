"""Activities: what users post, and the replies."""

from flask import Blueprint, current_app, request
from flask.typing import ResponseReturnValue

from routes import json_body
from routes.who import USER_HANDLE
from services import (
    create_activity,
    create_reply,
    home_activities,
    notifications_activities,
    search_activities,
    show_activity,
    user_activities,
)
from services.recorder import NO_RECORDER

blueprint = Blueprint("activities", __name__, url_prefix="/api/activities")


@blueprint.get("/home")
def home() -> ResponseReturnValue:
    """Answer with what everybody posted."""
    return home_activities.run()


@blueprint.get("/notifications")
def notifications() -> ResponseReturnValue:
    """Answer with what happened around the user."""
    return notifications_activities.run()


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


@blueprint.get("/search")
def search() -> ResponseReturnValue:
    """Answer with the activities that match the query's `term`."""
    return search_activities.run(request.args.get("term"))


@blueprint.post("")
def create() -> ResponseReturnValue:
    """Post an activity, and answer with it."""
    fields = json_body.fields()
    return create_activity.run(message=fields.get("message"), ttl=fields.get("ttl"), user_handle=USER_HANDLE)


@blueprint.get("/<activity_uuid>")
def show(activity_uuid: str) -> ResponseReturnValue:
    """Answer with one activity and its reply."""
    return show_activity.run(activity_uuid)


@blueprint.post("/<activity_uuid>/reply")
def reply(activity_uuid: str) -> ResponseReturnValue:
    """Reply to an activity, and answer with the reply."""
    fields = json_body.fields()
    return create_reply.run(
        message=fields.get("message"), user_handle=USER_HANDLE, activity_uuid=activity_uuid
    )
