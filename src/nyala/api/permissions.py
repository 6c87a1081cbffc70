"""Who may do what, as data.  A test demands a permission on every route."""

from enum import StrEnum
from typing import Final

from nyala.vocab.errors import UnknownError


class Permission(StrEnum):
    """What a route asks for."""

    READ_FLEET = "fleet.read"
    READ_METERS = "meters.read"
    READ_COMMANDS = "commands.read"
    READ_NOW = "commands.read_now"
    SWITCH = "commands.switch"
    RESET_DEMAND = "commands.reset_demand"
    ORDER_MANY = "commands.order_many"
    SEND_BLOCKS = "blocks.send"
    APPROVE = "commands.approve"
    MANAGE_METERS = "meters.manage"
    READMIT = "meters.readmit"
    CONFIGURE = "meters.configure"
    READ_ALARMS = "alarms.read"
    ACKNOWLEDGE = "alarms.acknowledge"
    READ_NOTIFICATIONS = "notifications.read"
    RESEND = "notifications.resend"
    MANAGE_NOTIFICATIONS = "notifications.manage"
    READ_BILLS = "bills.read"
    RUN_BILLS = "bills.run"


_VIEW: Final = frozenset(
    (
        Permission.READ_FLEET,
        Permission.READ_METERS,
        Permission.READ_COMMANDS,
        Permission.READ_ALARMS,
        Permission.READ_BILLS,
    )
)
ROLES: Final[dict[str, frozenset[Permission]]] = {
    "viewer": _VIEW,
    "operator": _VIEW
    | {Permission.READ_NOW, Permission.SWITCH, Permission.RESET_DEMAND, Permission.READMIT, Permission.ACKNOWLEDGE}
    | {Permission.CONFIGURE, Permission.READ_NOTIFICATIONS, Permission.RESEND}
    | {Permission.ORDER_MANY, Permission.SEND_BLOCKS, Permission.APPROVE, Permission.MANAGE_METERS},
    "billing": _VIEW | {Permission.RUN_BILLS},
    "admin": frozenset(Permission),
}


def permissions_of(role: str) -> frozenset[Permission]:
    """The permissions of a role; UnknownError."""
    try:
        return ROLES[role]
    except KeyError:
        raise UnknownError("role", role) from None
