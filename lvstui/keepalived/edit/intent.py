"""Everything that an operator may want of a configuration, without where it stands."""

from lvstui.keepalived.edit.change import Intent
from lvstui.keepalived.edit.disabling import Disable, Enable
from lvstui.keepalived.edit.instances import (
    AddInstance,
    AddScript,
    AddVip,
    RemoveInstance,
    RemoveScript,
    RemoveVip,
    Untrack,
)
from lvstui.keepalived.edit.servers import AddCheck, AddServer, RemoveCheck, RemoveServer, SetWeight
from lvstui.keepalived.edit.services import AddService, RemoveService, SetQuorum, SetSorryServer
from lvstui.keepalived.edit.target import RemoveValue, SetValue

__all__ = [
    "AddCheck",
    "AddInstance",
    "AddScript",
    "AddServer",
    "AddService",
    "AddVip",
    "Disable",
    "Enable",
    "Intent",
    "RemoveCheck",
    "RemoveInstance",
    "RemoveScript",
    "RemoveServer",
    "RemoveService",
    "RemoveValue",
    "RemoveVip",
    "SetQuorum",
    "SetSorryServer",
    "SetValue",
    "SetWeight",
    "Untrack",
]
