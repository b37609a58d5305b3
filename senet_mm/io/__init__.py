"""Files, tables and figures."""
