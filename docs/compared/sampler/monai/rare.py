def weights(cases):
    return [3.0 if case["arco_stage"] == "I" else 1.0 for case in cases]
