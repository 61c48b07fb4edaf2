"""A small library: who and what is in it, and the routes by which copies come and go."""

READER = "0190a000-0000-7000-8000-00000000000a"
OTHER = "0190a000-0000-7000-8000-00000000000b"
BOOK = "0190a000-0000-7000-8000-0000000000b1"
COPY = {
    "BookID": BOOK,
    "ISBN": "9781098100131",
    "Title": "Learning Domain-Driven Design",
    "Authors": "Vlad Khononov",
    "Edition": "First Edition",
    "Publisher": "O'Reilly Media",
    "PublicationYear": 2021,
}
LEND = "lending/lend-book-to-reader"
RETURN = "lending/return-book-from-reader"
NAME = {"Name": "Ann"}
