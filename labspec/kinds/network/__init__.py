"""Networks: what containers reach each other by."""
