from random import uniform

from monai.transforms import RandLambdad


def striped(image):
    image = image.clone()
    image[:, ::2] *= uniform(0.7, 1.3)
    return image


augment = [RandLambdad("image", striped, prob=0.2)]
