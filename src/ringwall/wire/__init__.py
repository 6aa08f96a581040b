"""Protocols to crossings and back. A protocol is an adapter; controls never see its shape."""
