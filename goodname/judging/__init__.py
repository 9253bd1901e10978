"""`goodname judge`: one text explained, or millions of lines judged."""
