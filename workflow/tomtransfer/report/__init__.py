"""From findings to what people look at: figures, tables, pages."""
