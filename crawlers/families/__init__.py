"""What sites of one make have in common; a spider of a known family is a few lines."""
