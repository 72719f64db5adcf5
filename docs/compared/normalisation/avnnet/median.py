from avnnet.data.normalise import Normalisation


class ByMedian(Normalisation):
    def __call__(self, channel):
        centred = channel - channel.median()
        return centred / centred.abs().median()
