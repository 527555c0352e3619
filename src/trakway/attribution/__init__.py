"""Attribution: from features to scores, one file a method, one interface.

A method is a file in `trakway.attribution.methods`, or a user's own, with a declaration and a function
``score(material, out, *, option=default)`` that fills ``out`` (float32, targets × n, perhaps a memory map) with scores:
positive means that training on the example raises the target's output. The material holds what the method declares.
"""
