"""What does a net cost: parameters, multiply-adds, time, memory?"""
