from hematovision.library.records import Record
from hematovision.training.data_check import check_data


def test_copies_and_cells_of_two_names_are_counted(tmp_path):
    def record(name, label, split, content, **attributes):
        path = tmp_path / name
        path.write_bytes(content)
        return Record("PBC", path, label, split, attributes)

    found = check_data(
        [
            record("SNE_1.jpg", "neutrophil", "train", b"a", nucleus_shape="unsegmented-band"),
            record("SNE_2.jpg", "neutrophil", "train", b"b", nucleus_shape="segmented-bilobed"),
            record("SNE_3.jpg", "neutrophil", "test", b"b"),
            record("BNE_4.jpg", "neutrophil", "test", b"c", nucleus_shape="unsegmented-band"),
            record("EO_5.jpg", "eosinophil", "test", b"c"),
        ]
    )
    assert found == {
        "pictures": 5,
        "copies": 2,
        "copies_across_splits": 1,
        "copies_with_other_keys": 1,
        "annotated": 3,
        "segmented": {"named": 3, "annotated": 2, "called_band": 1},
    }


def test_without_pictures_there_are_no_defects():
    assert check_data([])["segmented"] == {"named": 0, "annotated": 0, "called_band": 0}
