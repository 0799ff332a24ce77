"""Pictures of graphs: what is drawn, how it looks, and how it is laid out."""
