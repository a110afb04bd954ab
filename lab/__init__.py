"""What calls the scripts: nothing in here is called by them."""
