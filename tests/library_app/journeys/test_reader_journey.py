"""A reader from registration to the end of the contract, over HTTP, on PostgreSQL, with everything in between."""

import uuid

from tests.library_app.journeys.visitor import Visitor


def test_a_reader_borrows_waits_and_leaves(address: str) -> None:
    desk, program = Visitor(address), Visitor(address)
    ann, bob, book = (str(uuid.uuid4()) for _ in range(3))
    email = f"{ann}@example.org"

    # Ann and Bob register; Bob cannot have Ann's address, whatever its spelling.
    status, page = desk.submit("/library/readers/register", ReaderID=ann, Name="Ann O'Brien", Email=email)
    assert status == 200
    assert "The reader is registered." in page
    assert "Ann O&#39;Brien" in page
    assert program.command("lending/register-reader", ReaderID=bob, Name="Bob <b>")[0] == 201
    status, answer = program.command("lending/claim-reader-email", ReaderID=bob, Email=f" {email.upper()} ")
    assert (status, answer["reason"]) == (409, "EmailAlreadyClaimed")

    # A copy comes into circulation, and Ann takes it home. Sent again, the command does nothing.
    copy = {"ISBN": "978-1-098-10013-1", "Title": "Learning <Design>", "Authors": "V. K.", "Edition": "First"}
    copy |= {"Publisher": "O'Reilly", "PublicationYear": "2021"}
    assert program.command("lending/add-book-copy-to-circulation", BookID=book, **copy)[0] == 201
    status, page = desk.submit("/library/lend", BookID=book, ReaderID=ann.upper())
    assert "The copy is lent." in page
    assert program.command("lending/lend-book-to-reader", BookID=book, ReaderID=ann)[1]["Outcome"] == "nothing"
    assert [loan["BookID"] for loan in program.ask(f"lending/books-lent-by-reader/{ann}")["Loans"]] == [book]
    assert book in {loan["BookID"] for loan in program.ask("lending/books-lent-out")["Books"]}

    # Bob wants it too: he is told who is in the way, waits, and it lies ready for him when Ann brings it back.
    status, page = desk.submit("/library/lend", BookID=book, ReaderID=bob)
    assert status == 409
    assert "The copy is lent to another reader. It is on record as event" in page
    assert program.command("lending/reserve-book", BookID=book, ReaderID=bob)[0] == 201
    status, answer = program.command("lending/return-book-from-reader", BookID=book, ReaderID=ann)
    assert [event["EventType"] for event in answer["Events"]] == ["BookCopyReturnedByReader", "BookHeldForReader"]
    [shelf] = [copy for copy in program.ask("lending/waiting-lists")["Copies"] if copy["BookID"] == book]
    assert shelf["HeldFor"] == {"ReaderID": bob, "Name": "Bob <b>"}
    assert "Bob &lt;b&gt;" in desk.see("/library/waiting")
    status, answer = program.command("lending/lend-book-to-reader", BookID=book, ReaderID=ann)
    assert (status, answer["reason"]) == (409, "BookHeldForAnother")
    assert program.command("lending/lend-book-to-reader", BookID=book, ReaderID=bob)[0] == 201

    # With the book at home Bob cannot leave, and the copy cannot be taken out; then both can.
    status, page = desk.submit("/library/readers/cancel", ReaderID=bob)
    assert status == 409
    assert "The reader still has books." in page
    status, answer = program.command("lending/remove-book-copy-from-circulation", BookID=book)
    assert (status, answer["reason"]) == (409, "BookCurrentlyLent")
    assert program.command("lending/return-book-from-reader", BookID=book, ReaderID=bob)[0] == 201
    assert desk.submit("/library/readers/cancel", ReaderID=bob)[0] == 200
    assert program.command("lending/remove-book-copy-from-circulation", BookID=book)[0] == 201
    assert bob in {reader["ReaderID"] for reader in program.ask("lending/canceled-readers")["Readers"]}
    assert book in {copy["BookID"] for copy in program.ask("lending/removed-books")["Books"]}
    finished = program.ask("lending/finished-lendings?order=newest&limit=2")["Lendings"]
    assert [(lending["BookID"], lending["ReaderID"]) for lending in finished] == [(book, bob), (book, ann)]

    # When Ann leaves, her address is free: Bob comes back with it.
    status, answer = program.command("lending/cancel-reader-contract", ReaderID=ann)
    assert [event["EventType"] for event in answer["Events"]] == ["ReaderContractCanceled", "ReaderEmailReleased"]
    status, answer = program.command("lending/register-reader", ReaderID=bob, Name="Bob", Email=email)
    assert [event["EventType"] for event in answer["Events"]] == ["ReaderRegistered", "ReaderEmailClaimed"]

    # The log tells the whole story, and not the address.
    story = [event["EventType"] for event in program.ask(f"events?BookID={book}&limit=50")["Events"]]
    assert story[::-1] == [
        "BookCopyAddedToCirculation",
        "BookCopyLentToReader",
        "LendingBookToReaderFailed",
        "BookReserved",
        "BookCopyReturnedByReader",
        "BookHeldForReader",
        "LendingBookToReaderFailed",
        "BookCopyLentToReader",
        "RemovingBookFromCirculationFailed",
        "BookCopyReturnedByReader",
        "BookCopyRemovedFromCirculation",
    ]
    assert email not in str(program.ask(f"events?ReaderID={ann}&limit=50"))
