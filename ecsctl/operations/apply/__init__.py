"""Making the state what documents say: read, plan, show, carry out. One module per kind of resource."""
