"""From a trained student to integer codes, ONNX graphs and a photonic mesh program."""
