"""The intermediate representation: types, operations, nodes and graphs."""
