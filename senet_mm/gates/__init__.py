"""What do the gates do?"""
