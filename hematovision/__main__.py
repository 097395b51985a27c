from hematovision.cli import main

raise SystemExit(main())
