"""What runs inside the guest: init, nodes, their servers.  Standard library only, few imports."""
