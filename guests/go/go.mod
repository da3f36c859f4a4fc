module rebut.example/guest

go 1.24
