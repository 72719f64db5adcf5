from avnnet.data.sampling import Sampling


class Rare(Sampling):
    def weights(self, cases):
        return [3.0 if case.row["arco_stage"] == "I" else 1.0 for case in cases]
