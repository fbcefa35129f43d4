"""The experiment above the run: plates, donors, nights and gates as one file that is committed."""
