from avnnet.data.augmentation import Augmentation


class Stripes(Augmentation):
    def __call__(self, image, label, spacing_mm, generator):
        if generator.random() < 0.2:
            image = image.clone()
            image[:, ::2] *= generator.uniform(0.7, 1.3)
        return image, label
