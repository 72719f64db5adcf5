from monai.transforms import Lambdad


def by_median(image):
    centred = image - image.median()
    return centred / centred.abs().median()


normalise = Lambdad("image", by_median)
