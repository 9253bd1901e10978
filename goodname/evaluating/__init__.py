"""`goodname evaluate`: how well judges do on labelled texts."""
