"""Many runs from one file: what they are, how they stand, and the engines that run them."""
