"""The process in which compressed pixels are decoded: `python -m avnnet.data.dicom`."""

from avnnet.data.dicom.pixels import stored_values
from avnnet.data.dicom.subprocess_decode import serve

if __name__ == "__main__":
    serve(stored_values)
