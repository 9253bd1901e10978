"""Sites without code: a YAML file says where the posts stand, and becomes a spider."""
